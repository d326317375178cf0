"""pytest tests/verify/ladder/gates/test_foreign_pair.py

The ladder on a stranger's two scripts.
"""

import json
import subprocess
import sys

import pytest

from goldenseal.errors import UsageError
from goldenseal.ladder.probe_file import probe_from_toml
from goldenseal.ladder.suite import LADDER, run_ladder
from goldenseal.result import Verdict

RUNGS = [name for name in LADDER if name != "published figures"]


def verdicts(example, candidate, only=RUNGS):
    probe = probe_from_toml(example / "probe.toml", str(example / "baseline.py"), str(candidate))
    results = run_ladder(probe, only, lambda done, total: None, workers=1)
    return {result.gate: result for result in results}


def test_the_worked_example_passes_every_rung(example):
    for result in verdicts(example, example / "candidate.py").values():
        assert result.verdict is Verdict.PASS, (result.gate, result.findings)


DEFECTS = [
    (
        "a dead knob",
        "ADAPTER_SCALE * (h @ self.A)",
        "1.0 * (h @ self.A)",
        {"liveness"},
        "ADAPTER_SCALE=0.5 changes nothing while ADAPTER_ENABLE=1: dead knob",
    ),
    (
        "a parameter outside every optimizer",
        "AdamW(model.parameters()",
        "AdamW([p for n, p in model.named_parameters() if n != 'adapter.A']",
        {"liveness"},
        "parameter adapter.A is in no optimizer group",
    ),
    (
        "a knob that nobody declared",
        'ADAPTER_RANK = int(os.environ.get("ADAPTER_RANK", 4))',
        'ADAPTER_RANK = int(os.environ.get("ADAPTER_RANK", 4)) + 0 * len(os.getenv("HIDDEN", ""))',
        {"knobs"},
        "HIDDEN is new and belongs to no feature",
    ),
    (
        "a changed default",
        '"LEARNING_RATE", 0.01',
        '"LEARNING_RATE", 0.02',
        {"knobs", "operations", "training", "evaluation and export"},
        "LEARNING_RATE defaults to 0.02, in the baseline 0.01",
    ),
    (
        "a bug behind a zero-initialised head",
        "h = h + torch.tanh(self.mix(h))",
        "h = h - torch.tanh(self.mix(h))",
        {"operations", "loss and gradients", "training", "evaluation and export"},
        "loss is float32",
    ),
    (
        "a sub-knob that acts while its feature is off",
        "model = Model(len(VOCABULARY), WIDTH)",
        "model = Model(len(VOCABULARY), WIDTH); model.head.weight.data += ADAPTER_RANK - 4",
        {"dormant knobs"},
        "ADAPTER_RANK=2 acts though its feature is off",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "gates", "words"), [d[1:] for d in DEFECTS], ids=[d[0] for d in DEFECTS]
)
def test_a_planted_defect_is_caught_by_the_intended_gates(
    example, tmp_path, old, new, gates, words
):
    source = (example / "candidate.py").read_text()
    assert old in source
    planted = tmp_path / "candidate.py"
    planted.write_text(source.replace(old, new))
    results = verdicts(example, planted)
    failed = {name for name, result in results.items() if result.verdict is Verdict.FAIL}
    findings = [finding for result in results.values() for finding in result.findings]
    if "dormant" in str(gates) or "operations" not in gates:
        assert gates <= failed
    else:
        assert gates == failed - {"liveness", "dormant knobs"}
    assert any(words in finding for finding in findings), findings


def test_the_command_line_reports_json_and_exit_code_one(example, tmp_path):
    planted = tmp_path / "candidate.py"
    source = (example / "candidate.py").read_text()
    planted.write_text(source.replace("ADAPTER_SCALE * (h @ self.A)", "(h @ self.A)"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "goldenseal", "verify", "--json"),
            *("--baseline", str(example / "baseline.py"), "--candidate", str(planted)),
            *("--probe", str(example / "probe.toml")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["verdict"] == "fail"
    failed = [gate["gate"] for gate in document["gates"] if gate["verdict"] == "fail"]
    assert failed == ["liveness"]


SOUND = "[script]\nbuild = 'M()'\nentry = 'main()'\n"
FEATURE = "[[feature]]\nname = 'x'\nmaster = 'A'\noff = 0\nexample = { A = 1 }\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[script]\nbuild = 'M()'\n", "needs `entry`"),
        ("[script]\nbuild = 'M()'\nentry = 'main()'\ncolour = 'red'\n", "no key `colour`"),
        ("[script]\nbuild = 3\n", "build must be a str"),
        ("[script]\nbuild = 'M()'\nentry = 'main()'\n[weather]\n", "unknown table [weather]"),
        ("[script]\nbuild = 'M()'\nentry = 'main()'\n[[feature]]\nname = 'x'\n", "lacks"),
        ("[script", "probe.toml"),
        (f"{SOUND}[environment]\nA = [1]\n", "[environment]: [1] must be a text or a number"),
        (f"{SOUND}[[scenario]]\nA = {{ b = 1 }}\n", "[[scenario]] scenario 1: {'b': 1} must be"),
        (f"{SOUND}{FEATURE}{FEATURE}", "two [[feature]] are called x"),
        (f"{SOUND}{FEATURE}knobs = {{ B = [] }}\n", "[[feature]] x: knob B has no value to try"),
        (
            f"{SOUND}{FEATURE.replace('A = 1', 'B = 1')}",
            "[[feature]] x: its example does not set A",
        ),
    ],
)
def test_a_bad_probe_is_one_line_with_file_and_key(tmp_path, text, message):
    path = tmp_path / "probe.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        probe_from_toml(path, "a.py", "b.py")
    assert message in str(caught.value)
    assert "probe.toml" in str(caught.value)


@pytest.mark.parametrize("place", ["nowhere.py", "probe.toml", ""])
def test_a_missing_script_is_one_line_and_not_a_verdict(example, place):
    with pytest.raises(UsageError, match=r"--candidate: .* is no \.py file that is there"):
        verdicts(example, example / place, only=["initial state"])
