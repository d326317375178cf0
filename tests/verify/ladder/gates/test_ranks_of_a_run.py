"""pytest tests/verify/ladder/gates/test_ranks_of_a_run.py — every rank of a run is recorded."""

import pytest

from tests.verify.scripts import ONE_FILE, PROBE, edited, failed, findings, pair

TWO = PROBE + '[[scenario]]\nname = "two ranks"\nranks = 2\n'
MAIN = "def main():\n    torch.manual_seed(0)\n"
STEP = "        optimizer.step()\n"

RANKED = edited(
    ONE_FILE,
    (
        MAIN,
        "import torch.distributed as dist\n\nRANK = int(os.environ.get('RANK', 0))\n\n\n"
        "def main():\n    dist.init_process_group('gloo')\n    try:\n        work()\n"
        "    finally:\n        dist.destroy_process_group()\n\n\n"
        "def work():\n    torch.manual_seed(RANK)\n",
    ),
    (
        "    optimizer = torch",
        "    [dist.broadcast(p.data, 0) for p in model.parameters()]\n    optimizer = torch",
    ),
    (STEP, "        for p in model.parameters():\n            dist.all_reduce(p.grad)\n" + STEP),
    ('        print("step"', '        if RANK == 0:\n            print("step"'),
)
GATES = ("operations", "training", "evaluation and export")


def test_equal_runs_of_two_ranks_pass_and_each_rank_counts(tmp_path):
    gates = pair(tmp_path, RANKED, RANKED, TWO).gates(*GATES)
    assert not failed(gates), findings(gates)
    assert "over 6 optimizer steps" in gates["training"].summary


DEFECTS = {
    "what rank 0 prints": (
        'print("step", step, loss.item())',
        'print("step", step, loss.item() + 1)',
        "training",
    ),
    "what rank 0 trains on": ("torch.randn(5, 4)", "torch.randn(5, 4) + (RANK == 0)", "training"),
    "what rank 0 evaluates": (
        "model(torch.ones(2, 4))",
        "model(torch.ones(2, 4) + (RANK == 0))",
        "evaluation and export",
    ),
    "what rank 0 writes": (
        "    model.eval()\n",
        "    RANK == 0 and open('a.txt', 'w').close()\n    model.eval()\n",
        "evaluation and export",
    ),
    "an operation of rank 0": (
        "torch.randn(5, 4)\n",
        "torch.randn(5, 4)\n        if RANK == 0:\n            x = x + 0\n",
        "operations",
    ),
    "a switch that rank 0 sets": (
        "torch.manual_seed(RANK)\n",
        "torch.manual_seed(RANK)\n    torch.backends.cudnn.benchmark = RANK == 0\n",
        "operations",
    ),
}


@pytest.mark.parametrize(("old", "new", "gate"), DEFECTS.values(), ids=DEFECTS)
def test_a_difference_of_rank_0_alone_is_found_and_the_rank_named(tmp_path, old, new, gate):
    gates = pair(tmp_path, edited(RANKED, (old, new)), RANKED, TWO).gates(gate)
    assert any(", rank 0: " in text or ": rank 0: " in text for text in findings(gates)), findings(
        gates
    )


def test_a_rank_that_stops_is_named(tmp_path):
    stops = edited(
        RANKED, ("    model.eval()\n", "    if RANK == 0:\n        1 / 0\n    model.eval()\n")
    )
    found = findings(pair(tmp_path, stops, RANKED, TWO).gates("training"))
    assert any("candidate stopped: rank 0: ZeroDivisionError" in text for text in found), found


def test_a_rank_that_exits_content_is_content(tmp_path):
    content = edited(
        RANKED, ("    try:\n        work()\n", "    try:\n        work()\n        sys.exit(0)\n")
    )
    gates = pair(tmp_path, content, RANKED, TWO).gates("training")
    assert not failed(gates), findings(gates)


def test_code_that_only_rank_0_executes_counts_as_run(tmp_path):
    more = edited(
        RANKED, ("    model.eval()\n", "    if RANK == 0:\n        str(RANK)\n    model.eval()\n")
    )
    gates = pair(tmp_path, more, RANKED, TWO).gates("changed lines")
    assert not failed(gates), findings(gates)
