#!/bin/sh
# Whether onnxruntime's maximum sees a NaN depends on where the NaN stands.
#
# A network that has diverged has NaN among its logits. In ONNX's own reference (onnx 1.23.2) the maximum of
# [1, NaN, 2] is NaN and its arg max is the NaN's place. onnxruntime 1.32.0, on its CPU provider, gives 2.0 and
# place 2, and for [NaN, 1, 2] NaN and place 0: a first NaN is seen, a later one passed over. So one exported
# model scores as if healthy on some rows and not on others, and two tools that "run the same ONNX file" do not
# agree. What helps: look for NaN before the maximum.
# Exits 1 when the two agree.
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 || exit 3
"$work/venv/bin/python" - <<'PY'
import sys
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)


def both(operator, kind, values):
    x = numpy.array(values, "f4")
    node = helper.make_node(operator, ["x"], ["y"])
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [len(values)])], [
        helper.make_tensor_value_info("y", kind, [1])
    ]
    model = helper.make_model(
        helper.make_graph([node], "g", *ends), opset_imports=[helper.make_opsetid("", 18)], ir_version=9
    )
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = ReferenceEvaluator(model).run(None, {"x": x})[0].item(), session.run(None, {"x": x})[0].item()
    print(f"{operator} of {values}: reference {found[0]}, onnxruntime {found[1]}")
    return found


nan = float("nan")
first, later = both("ReduceMax", TensorProto.FLOAT, [nan, 1, 2]), both("ReduceMax", TensorProto.FLOAT, [1, nan, 2])
places = both("ArgMax", TensorProto.INT64, [nan, 1, 2]), both("ArgMax", TensorProto.INT64, [1, nan, 2])
if not (first[0] != first[0] and first[1] != first[1] and later[0] != later[0] and later[1] == 2.0):
    sys.exit("CHANGED: ReduceMax of a NaN")
if places != ((0, 0), (1, 2)):
    sys.exit("CHANGED: ArgMax of a NaN")
PY
# Seen:
#   onnx 1.23.2 onnxruntime 1.32.0
#   ReduceMax of [nan, 1, 2]: reference nan, onnxruntime nan
#   ReduceMax of [1, nan, 2]: reference nan, onnxruntime 2.0
#   ArgMax of [nan, 1, 2]: reference 0, onnxruntime 0
#   ArgMax of [1, nan, 2]: reference 1, onnxruntime 2
