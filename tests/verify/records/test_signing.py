"""pytest tests/verify/records/test_signing.py

Who signed a record, and what a signature does not save.
"""

import base64
import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from goldenseal.errors import UsageError
from goldenseal.records import check_seal
from goldenseal.records.check import check
from goldenseal.records.seal import seal
from goldenseal.records.signing import ENVELOPE, judge, sign


def write_keys(folder, name, private=None):
    """A private key NAME.key and its public one in keys-NAME/NAME.pem."""
    private = private or ed25519.Ed25519PrivateKey.generate()
    (folder / f"{name}.key").write_bytes(
        private.private_bytes(
            pem.Encoding.PEM, pem.PrivateFormat.PKCS8, encryption_algorithm=pem.NoEncryption()
        )
    )
    (folder / f"keys-{name}").mkdir()
    (folder / f"keys-{name}" / f"{name}.pem").write_bytes(
        private.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    )
    return folder / f"{name}.key", folder / f"keys-{name}"


@pytest.fixture
def ada(tmp_path):
    return write_keys(tmp_path, "ada")


@pytest.fixture
def eve(tmp_path):
    return write_keys(tmp_path, "eve")


@pytest.fixture
def sealed(record):
    seal(record)
    return record


def edit(folder, **changes):
    document = json.loads((folder / ENVELOPE).read_text())
    (folder / ENVELOPE).write_text(json.dumps(document | changes))


def goldenseal(*arguments, without=()):
    program = "import sys; " + "".join(f"sys.modules[{name!r}] = None; " for name in without)
    return subprocess.run(
        [sys.executable, "-c", program + "from goldenseal.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_signature_by_a_trusted_key_is_trusted_and_keeps_the_identity(sealed, ada):
    identity = check(sealed).identity
    sign(sealed, ada[0])
    found = judge(sealed, ada[1])
    assert (found.verdict, found.reason, found.exit_code) == ("trusted", "signed by ada.pem", 0)
    assert (check(sealed).holds, check(sealed).identity) == (True, identity)


def test_a_key_that_openssl_made_signs(sealed, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    key = tmp_path / "key.pem"
    for command in (
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", key],
        ["openssl", "pkey", "-in", key, "-pubout", "-out", keys / "me.pem"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    sign(sealed, key)
    assert judge(sealed, keys).verdict == "trusted"


def test_openssl_alone_accepts_what_we_signed(sealed, ada, tmp_path):
    """The envelope is DSSE: the signed bytes are its pre-authentication encoding, by its text."""
    sign(sealed, ada[0])
    document = json.loads((sealed / ENVELOPE).read_text())
    payload = base64.b64decode(document["payload"])
    kind = document["payloadType"].encode()
    assert payload == (sealed / "seal.json").read_bytes()
    encoded = b" ".join(
        [b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload]
    )
    (tmp_path / "encoded").write_bytes(encoded)
    (tmp_path / "signature").write_bytes(base64.b64decode(document["signatures"][0]["sig"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin"]
    files = {
        "-inkey": ada[1] / "ada.pem",
        "-in": tmp_path / "encoded",
        "-sigfile": tmp_path / "signature",
    }
    done = subprocess.run(
        [*command, *(x for pair in files.items() for x in pair)], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"Signature Verified Successfully\n")


def test_a_stripped_signature_is_unsigned(sealed, ada):
    sign(sealed, ada[0])
    (sealed / ENVELOPE).unlink()
    assert (judge(sealed, ada[1]).verdict, judge(sealed, ada[1]).exit_code) == ("unsigned", 3)
    assert check(sealed).holds


def test_a_wrong_key_is_untrusted_whatever_key_it_names(sealed, ada, eve):
    sign(sealed, ada[0])
    named = json.loads((sealed / ENVELOPE).read_text())["signatures"][0]["keyid"]
    (sealed / ENVELOPE).unlink()
    sign(sealed, eve[0])
    assert (judge(sealed, ada[1]).verdict, judge(sealed, ada[1]).exit_code) == ("untrusted", 1)
    signature = json.loads((sealed / ENVELOPE).read_text())["signatures"][0]["sig"]
    edit(sealed, signatures=[{"keyid": named, "sig": signature}])
    assert judge(sealed, ada[1]).verdict == "untrusted"


def test_any_byte_of_the_signature_matters(sealed, ada):
    sign(sealed, ada[0])
    entry = json.loads((sealed / ENVELOPE).read_text())["signatures"][0]
    value = base64.b64decode(entry["sig"])
    for place in range(len(value)):
        other = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        for wrong in (other, value[:place], value + b"\0"):
            edit(sealed, signatures=[entry | {"sig": base64.b64encode(wrong).decode()}])
            assert judge(sealed, ada[1]).verdict == "untrusted"


def test_an_altered_payload_breaks_the_check_also_without_keys(sealed, ada):
    sign(sealed, ada[0])
    payload = base64.b64decode(json.loads((sealed / ENVELOPE).read_text())["payload"])
    edit(sealed, payload=base64.b64encode(payload.replace(b"Toy", b"Boy")).decode())
    assert check(sealed).reasons() == [f"{ENVELOPE}: what it signs is not this seal.json"]


def test_the_signature_of_another_record_does_not_fit(sealed, ada, tmp_path):
    sign(sealed, ada[0])
    signature = (sealed / ENVELOPE).read_bytes()
    for name in ("SHA512SUMS", "seal.json", ENVELOPE):
        (sealed / name).unlink()
    (sealed / "README.md").write_text("A better toy.\n")
    seal(sealed)
    (sealed / ENVELOPE).write_bytes(signature)
    assert check(sealed).reasons() == [f"{ENVELOPE}: what it signs is not this seal.json"]


def test_an_unsealed_folder_with_a_signature_is_not_sealed(sealed, ada):
    sign(sealed, ada[0])
    for name in ("SHA512SUMS", "seal.json"):
        (sealed / name).unlink()
    with pytest.raises(UsageError, match="signs another seal"):
        seal(sealed)


def test_several_people_may_sign_and_one_trusted_key_is_enough(sealed, ada, eve, tmp_path):
    sign(sealed, eve[0])
    sign(sealed, ada[0])
    sign(sealed, ada[0])
    assert len(json.loads((sealed / ENVELOPE).read_text())["signatures"]) == 2
    assert judge(sealed, ada[1]).reason == "signed by ada.pem"
    (ada[1] / "eve.pem").write_bytes((eve[1] / "eve.pem").read_bytes())
    assert judge(sealed, ada[1]).reason == "signed by ada.pem, eve.pem"


def rewrite(folder, encode):
    """The same envelope, its base64 written otherwise."""
    document = json.loads((folder / ENVELOPE).read_text())
    for entry in document["signatures"]:
        entry["sig"] = encode(base64.b64decode(entry["sig"]))
    document["payload"] = encode(base64.b64decode(document["payload"]))
    (folder / ENVELOPE).write_text(json.dumps(document))


def both(folder):
    """What the two checkers say of the folder."""
    return check(folder).holds, not check_seal.findings(str(folder))[0]


def needs_both_alphabets(folder, key):
    """Sign, with a README such that payload and signature are written otherwise in either."""
    for number in range(100):
        (folder / "README.md").write_text(f"A toy, {number}: \u00ff\u00be\u00ff?>.\n")
        seal(folder)
        sign(folder, key)
        text = json.loads((folder / ENVELOPE).read_text())["signatures"][0]["sig"]
        if {"+", "/"} <= set(text):
            return text
        for name in ("SHA512SUMS", "seal.json", ENVELOPE):
            (folder / name).unlink()
    raise RuntimeError("no signature with both characters")


def test_url_safe_base64_is_as_valid_as_the_standard_one(record, ada):
    """DSSE: verifiers must accept either. In the signature, in the payload, in both."""
    text = needs_both_alphabets(record, ada[0])
    rewrite(record, lambda data: base64.urlsafe_b64encode(data).decode())
    assert both(record) == (True, True)
    assert judge(record, ada[1]).verdict == "trusted"
    standard = json.loads((record / ENVELOPE).read_text())
    safe = text.replace("+", "-").replace("/", "_")
    edit(record, signatures=[{"sig": safe}], payload=standard["payload"])
    assert judge(record, ada[1]).verdict == "trusted"


def test_base64_of_no_one_alphabet_is_none_for_both_checkers(record, ada):
    """Mixed, without padding, with too much, with what RFC 4648 has no place for."""
    text = needs_both_alphabets(record, ada[0])
    mixed = text.replace("+", "-")
    for wrong in (
        mixed, text.rstrip("="), text + "=", text + "====", text[:8] + "\n" + text[8:], " " + text,
        text + "\n", text[:4] + "=" + text[5:], "A===", "\u0661" * 4, "AAA\u00e9", "AAA",
    ):  # fmt: skip
        edit(record, signatures=[{"sig": wrong}])
        assert both(record) == (False, False), wrong
        assert "base64, standard or URL-safe, with its padding" in check(record).reasons()[0]
    document = json.loads((record / ENVELOPE).read_text())
    for payload in (document["payload"] + "=", document["payload"] + "\n", None, ["AAAA"]):
        edit(record, signatures=[{"sig": text}], payload=payload)
        assert both(record) == (False, False), payload


def test_a_key_under_two_names_is_one_signer(sealed, ada, eve):
    """A copy, one with other line ends, one with words around it, and twice in one file."""
    sign(sealed, ada[0])
    key = (ada[1] / "ada.pem").read_bytes()
    (ada[1] / "bob.pem").write_bytes(key)
    (ada[1] / "cy.pem").write_bytes(key.replace(b"\n", b"\r\n"))
    (ada[1] / "dot.pem").write_bytes(b"Dot, since May\n\n" + key + b"# the end\n")
    found = judge(sealed, ada[1])
    assert found.signers == ("ada.pem = bob.pem = cy.pem = dot.pem",)
    for name in ("bob", "cy", "dot"):
        (ada[1] / f"{name}.pem").unlink()
    (ada[1] / "ada.pem").write_bytes(key + key)
    assert judge(sealed, ada[1]).reason == "signed by ada.pem#1 = ada.pem#2"


def test_every_key_of_a_file_counts_and_one_that_is_none_is_refused(sealed, ada, eve):
    sign(sealed, ada[0])
    key, other = (ada[1] / "ada.pem").read_bytes(), (eve[1] / "eve.pem").read_bytes()
    path = ada[1] / "ada.pem"
    path.write_bytes(other + key)
    assert judge(sealed, ada[1]).signers == ("ada.pem#2",)
    for wrong in (key + ada[0].read_bytes(), key + key[:-20], key.replace(b"MCow", b"MCox") + key):
        path.write_bytes(wrong)
        with pytest.raises(UsageError, match="not an Ed25519 public key in PEM, or several"):
            judge(sealed, ada[1])


def test_several_signatures_by_one_key_count_once(sealed, ada, eve):
    sign(sealed, ada[0])
    entry = json.loads((sealed / ENVELOPE).read_text())["signatures"][0]
    safe = base64.urlsafe_b64encode(base64.b64decode(entry["sig"])).decode()
    edit(sealed, signatures=[entry, {"sig": entry["sig"]}, {"keyid": "x", "sig": safe}])
    assert judge(sealed, ada[1]).signers == ("ada.pem",)
    assert judge(sealed, eve[1]).reason == f"1 signature(s), none by a key of {eve[1]}"
    sign(sealed, ada[0])
    assert json.loads((sealed / ENVELOPE).read_text())["signatures"] == [entry]


@pytest.mark.parametrize(
    "change",
    [
        {"signatures": "x"},
        {"signatures": [{}]},
        {"signatures": [None]},
        {"signatures": [{"sig": 7}]},
        {"signatures": [{"sig": "\u00e9"}]},
        {"signatures": [{"keyid": [], "sig": ""}]},
        {"signatures": [{"sig": ""}] * 65},
        {"payloadType": None},
    ],
)
def test_a_malformed_envelope_is_one_line(sealed, ada, change):
    sign(sealed, ada[0])
    edit(sealed, **change)
    reasons = check(sealed).reasons()
    assert len(reasons) == 1
    assert reasons[0].startswith(f"{ENVELOPE}: ")
    assert both(sealed) == (False, False)


def test_only_ed25519_keys_of_the_right_kind_are_taken(sealed, ada, tmp_path):
    weak, _ = write_keys(tmp_path, "weak", ec.generate_private_key(ec.SECP256R1()))
    public = ada[1] / "ada.pem"
    (tmp_path / "noise").write_bytes(b"\xff\0")
    for key in (weak, public, tmp_path / "noise"):
        with pytest.raises(UsageError, match="not an Ed25519 private key"):
            sign(sealed, key)
    assert not (sealed / ENVELOPE).exists()
    for content in (ada[0].read_bytes(), (tmp_path / "keys-weak" / "weak.pem").read_bytes(), b""):
        public.write_bytes(content)
        with pytest.raises(UsageError, match="not an Ed25519 public key"):
            judge(sealed, ada[1])
    with pytest.raises(UsageError, match=r"holds no \*\.pem"):
        judge(sealed, tmp_path / "records")


def test_the_command_line_ends_with_the_right_code(sealed, ada, eve):
    trusted = ("check", str(sealed), "--trusted-keys", str(ada[1]))
    assert goldenseal(*trusted).returncode == 3
    assert goldenseal("seal", str(sealed), "--sign", str(ada[0])).returncode == 0
    done = goldenseal(*trusted, "--json")
    assert done.returncode == 0
    signature = json.loads(done.stdout)[0]["signature"]
    assert (signature["verdict"], signature["signers"]) == ("trusted", ["ada.pem"])
    done = goldenseal("check", str(sealed), "--trusted-keys", str(eve[1]))
    assert done.returncode == 1
    assert "untrusted: " in done.stdout
    assert "who signed was not judged" in goldenseal("check", str(sealed)).stdout
    (sealed / "README.md").write_text("A better toy.\n")
    done = goldenseal(*trusted)
    assert (done.returncode, "trusted" in done.stdout) == (1, False)


def test_without_the_extra_all_but_signatures_works_and_says_what_is_missing(sealed, ada):
    sign(sealed, ada[0])
    without = ("securesystemslib", "cryptography", "torch", "numpy")
    assert goldenseal("check", str(sealed), without=without).returncode == 0
    done = goldenseal("check", str(sealed), "--trusted-keys", str(ada[1]), without=without)
    assert (done.returncode, "goldenseal[sign]" in done.stderr) == (3, True)
    done = goldenseal("seal", str(sealed), "--sign", str(ada[0]), without=without)
    assert (done.returncode, "goldenseal[sign]" in done.stderr) == (3, True)
