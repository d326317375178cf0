"""pytest tests/verify/ladder/gates/test_steps_by_hand.py — training without torch.optim."""

import pytest

from goldenseal.errors import CannotCheckError
from goldenseal.ladder import description, start
from goldenseal.ladder.recordings import Job, Recordings
from goldenseal.ladder.suite import run_commands

HEAD = """
import torch
import torch.nn.functional as F
torch.manual_seed(0)
x, y = torch.randn(8, 3), torch.randn(8, 2)
LR = 0.1
"""
RAW = """
w = torch.randn(3, 2, requires_grad=True)
b = torch.zeros(2, requires_grad=True)
for step in range(3):
    loss = ((x @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        for p in (w, b):
            p -= LR * p.grad
            p.grad.zero_()
    print(loss.item())
"""
DATA = """
net = torch.nn.Linear(3, 2)
for step in range(3):
    for p in net.parameters():
        p.grad = None
    F.mse_loss(net(x), y).backward()
    for p in net.parameters():
        p.data -= LR * p.grad.data
"""
ANEW = """
w, b = torch.randn(3, 2, requires_grad=True), torch.zeros(2, requires_grad=True)
for step in range(3):
    loss = ((x @ w + b - y) ** 2).mean()
    dw, db = torch.autograd.grad(loss, (w, b))
    w, b = w - LR * dw, b - LR * db
"""
DETACHED = """
w = torch.randn(3, 2, requires_grad=True)
for step in range(3):
    ((x @ w - y) ** 2).mean().backward()
    w = (w - LR * w.grad).detach().requires_grad_()
"""
FUNCTIONAL = """
from torch.func import functional_call, grad
net = torch.nn.Linear(3, 2)
parameters = dict(net.named_parameters())
def loss_of(parameters):
    return F.mse_loss(functional_call(net, parameters, (x,)), y)
for step in range(3):
    gradients = grad(loss_of)(parameters)
    parameters = {n: p - LR * gradients[n] for n, p in parameters.items()}
final = loss_of(parameters)
"""
EVOLVED = """
net = torch.nn.Linear(3, 2)
with torch.no_grad():
    for step in range(3):
        noise = [torch.randn_like(p) for p in net.parameters()]
        better = F.mse_loss(net(x), y)
        for p, e in zip(net.parameters(), noise, strict=True):
            p += LR * e
        if F.mse_loss(net(x), y) > better:
            for p, e in zip(net.parameters(), noise, strict=True):
                p -= LR * e
"""
CHECKPOINTED = """
from torch.utils.checkpoint import checkpoint
net = torch.nn.Linear(3, 2)
for step in range(3):
    net.zero_grad()
    F.mse_loss(checkpoint(net, x.requires_grad_(), use_reentrant=True), y).backward()
    with torch.no_grad():
        for p in net.parameters():
            p -= LR * p.grad
"""
ENSEMBLE = """
import copy
from torch.func import functional_call, grad, stack_module_state, vmap
nets = [torch.nn.Linear(3, 2) for _ in range(3)]
parameters, buffers = stack_module_state(nets)
base = copy.deepcopy(nets[0]).to("meta")
def loss_of(parameters, buffers):
    return F.mse_loss(functional_call(base, (parameters, buffers), (x,)), y)
for step in range(3):
    gradients = vmap(grad(loss_of))(parameters, buffers)
    parameters = {n: (p - LR * gradients[n]).detach() for n, p in parameters.items()}
"""
PULLED = """
from torch.func import vjp
w = torch.randn(3, 2)
for step in range(3):
    loss, pull = vjp(lambda w: ((x @ w - y) ** 2).mean(), w)
    w = w - LR * pull(torch.ones(()))[0]
"""
ANEW_EACH = {"anew", "detached", "functional", "ensemble", "pulled"}
GRADIENTS = {"raw", "data", "checkpointed", *ANEW_EACH}
SCRIPTS = {
    "raw": RAW,
    "data": DATA,
    "anew": ANEW,
    "detached": DETACHED,
    "functional": FUNCTIONAL,
    "ensemble": ENSEMBLE,
    "pulled": PULLED,
    "evolved": EVOLVED,
    "checkpointed": CHECKPOINTED,
}


@pytest.fixture
def probe(tmp_path, monkeypatch):
    """A function that describes a pair of scripts."""

    def described(baseline, candidate=None, written=""):
        for side, text in (("baseline", baseline), ("candidate", candidate or baseline)):
            (tmp_path / side).mkdir()
            (tmp_path / side / "train.py").write_text(HEAD + text)
        (tmp_path / "goldenseal.toml").write_text(f'command = "python train.py"\n{written}')
        (tmp_path / "sides").mkdir()
        monkeypatch.chdir(tmp_path)
        read, file = description.read(None)
        return description.probe_of(read, file, tmp_path / "sides", "./baseline", "./candidate")

    return described


def recorded(probe, what="record"):
    with Recordings(probe, 1) as recordings:
        return recordings.recording(Job(what, "baseline", probe.scenarios[0].name))


def steps(run):
    return [e for e in run.events if e.where.startswith("after step by hand")]


def findings(probe, only):
    return [text for r in run_commands(probe, only, lambda *told: None, 1) for text in r.findings]


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_each_way_to_move_weights_is_a_step(probe, name):
    run = recorded(probe(SCRIPTS[name]))
    assert run.error is None
    taken = [e for e in run.events if e.where.startswith("gradients")]
    assert len(taken) == (3 if name in GRADIENTS else 0)
    assert all(text != "none" for e in taken for text in e.facts.values())
    # What is made anew after the last gradients is seen by nobody.
    assert len(steps(run)) >= (2 if name in ANEW_EACH else 3)
    assert run.main


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_faulty_rate_is_told_at_the_first_step(probe, name):
    text = SCRIPTS[name]
    assert text.count("LR * ") >= 1
    found = findings(probe(text, text.replace("LR * ", "2 * LR * ")), ["training"])
    first = next(text for text in found if "parameter " in text)
    assert "after step by hand 1 (train.py:" in first


def test_a_correct_candidate_passes_and_another_start_is_told(probe):
    assert findings(probe(RAW, f"# as before\n{RAW}"), ["command", "training"]) == []


def test_another_start_of_a_weight_of_no_module_is_told(probe):
    other = RAW.replace("b = torch.zeros(2", "b = torch.ones(2")
    (found,) = findings(probe(RAW, other), ["initial state"])
    assert "weight 2 is" in found


def test_names_of_weights_are_those_of_their_modules(probe):
    run = recorded(probe(FUNCTIONAL))
    assert {"parameter weight", "parameter bias"} <= set(steps(run)[0].facts)
    assert run.main == {"weight", "bias"}


def test_an_optimizer_is_all_that_counts_where_there_is_one(probe):
    own = """
net = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(net.parameters(), LR)
for step in range(3):
    F.mse_loss(net(x), y).backward()
    optimizer.step()
    with torch.no_grad():
        net.bias *= 0.9
"""
    wheres = [event.where for event in recorded(probe(own)).events]
    assert sum(where.startswith("after SGD step") for where in wheres) == 3
    assert not any("by hand" in where or where.startswith("gradients") for where in wheres)


def test_a_run_is_cut_after_steps_by_hand(probe):
    assert (
        len(steps(recorded(probe(RAW.replace("range(3)", "range(9)"), written="steps = 2")))) == 2
    )


RESUMING = RAW.replace(
    "for step in range(3)", "import os\nfirst = 0\nGO\nfor step in range(first, 4)"
)
RESUMING = (
    RESUMING.replace(
        "GO",
        'if os.path.exists("last.pt"):\n'
        '    first, w, b = torch.load("last.pt")\n'
        "    w, b = w.requires_grad_(), b.requires_grad_()",
    )
    + '    torch.save((step + 1, w.detach().clone(), b.detach().clone()), "last.pt")\n'
)


@pytest.mark.parametrize("fault", [False, True])
def test_a_run_that_is_interrupted_between_steps_by_hand_goes_on(probe, fault):
    text = RESUMING.replace("step + 1,", "step,") if fault else RESUMING
    found = findings(
        probe(RESUMING, text, written="[resume]\nstop_after = 2\nargs = []"), ["resume"]
    )
    assert bool(found) is fault, found


def test_weights_are_held_still_where_evaluation_must_not_change(probe):
    """The feature trains otherwise, and evaluates alike: a step that is not undone would show."""
    for_eval = "\nnet.eval()\nprint('validation', F.mse_loss(net(x), y).item())\n"
    on = DATA.replace("LR * p", "(LR + float(os.environ.get('MORE', '0'))) * p")
    written = '[[feature]]\nname = "more"\nenv = { MORE = 1 }\neval = "unchanged"'
    pair = probe(DATA + for_eval, f"import os\n{on}{for_eval}", written=written)
    assert findings(pair, ["evaluation and export"]) == []


def test_a_script_that_trains_nothing_is_refused(probe):
    with pytest.raises(CannotCheckError, match="the baseline made no step"):
        findings(probe("net = torch.nn.Linear(3, 2)\nnet(x)\n"), ["command"])


def test_init_describes_a_script_without_an_optimizer(tmp_path, monkeypatch):
    (tmp_path / "train.py").write_text(HEAD + RAW)
    monkeypatch.chdir(tmp_path)
    said = start.write_description(["python", "train.py"], tmp_path / "goldenseal.toml")
    assert "3 steps" in said[0]
