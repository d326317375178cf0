"""The published runs as named sets of environment variables.

What a source does not say keeps its default. Only what is trained differs: depth, losses, queue.
Runs 2, 3 and 7 begin with the weights of Run 1: its final_model.safetensors, under this name.
"""

HEAD = {"GEO_HEAD": "1"}
V5 = {**HEAD, "N_FUSED_BLOCKS": "0", "N_CROSS_BLOCKS": "4"}
V6_SHAPE = {
    **HEAD,
    "N_DUAL_BLOCKS": "3",
    "N_FUSED_BLOCKS": "0",
    "N_CROSS_BLOCKS": "6",
    "OUTPUT_DIM": "256",
    "N_ANCHORS": "128",
    "N_COMP": "16",
    "D_COMP": "128",
}
SHAPED = {"ENABLE_AUTOGRAD": "1"}
WARM = {"WARM_START": "v1.safetensors"}
# Published is "small", and only for geometric parameters; the weight is this package's own.
SMALL_CV = {"CV_WEIGHT": "0.01", "CV_SCOPE": "geo"}
MASTERY = {"MASTERY_WEIGHT": "1.0"}
V6 = {
    **V6_SHAPE,
    **SHAPED,
    **MASTERY,
    "QUEUE_ADAPT": "A",
    "LABEL_SMOOTHING": "0.1",
    "INFONCE_WEIGHT": "0.1",
    "GEO_BCE_WEIGHT": "0.3",
    "GEO_DIV_WEIGHT": "0.5",
    "CV_WEIGHT": "0.1",
    "ANCHOR_CV_WEIGHT": "0.05",
    "CM_WEIGHT": "0.1",
    "SPREAD_WEIGHT": "0.001",
}
WHOLE = {"CV_WEIGHT": "1.0", "CM_WEIGHT": "1.0", **SHAPED, "AUTOGRAD_SEP": "1.0", **MASTERY}

PRESETS = {
    "v1": {},
    "v2": {**HEAD, **WARM, **SMALL_CV, **SHAPED},
    "v3": {**HEAD, **WARM, **SMALL_CV, **SHAPED, **MASTERY},
    "v5-bidir": {**V5, "CV_WEIGHT": "0.1", **SHAPED, **MASTERY},
    "v6": V6,
    "run4": {**HEAD, **WHOLE, "INFONCE_WEIGHT": "1.0", "BATCH": "512", "LR": "1e-3"}
    | {"EPOCHS": "100"},
    "run5": {**HEAD, "CV_WEIGHT": "0.5", "CV_TARGET": "0.2", "INFONCE_WEIGHT": "0.5"}
    | {"CM_WEIGHT": "0.5", **SHAPED, "AUTOGRAD_TANG": "1.0", "AUTOGRAD_SEP": "0.1"}
    | {"WARMUP": "5", "GRAD_CLIP": "1.0", **MASTERY, "EPOCHS": "100"},
    "run7": {**HEAD, **WARM, "CV_WEIGHT": "1.0", "CV_TARGET": "0.22", "INFONCE_WEIGHT": "0.1"}
    | {**SHAPED, "AUTOGRAD_TANG": "0.5", "AUTOGRAD_SEP": "0.1", "LR": "1e-4", **MASTERY},
    "run9": {**V5, "CV_WEIGHT": "0.1", **SHAPED, **MASTERY, "NCE_AFTER_MASTERY": "drop"}
    | {"GEO_BCE_WEIGHT": "0.3"},
    "run10": {**V6, "QUEUE_ADAPT": "B", "LR": "3e-4", "WEIGHT_DECAY": "0.01"},
    "run11": {**V6, "NCE_SCOPE": "geo"},
    "run12": {**HEAD, "CV_WEIGHT": "0.1", "GAL_ENABLE": "1"},
}

# What the published parameter count of a preset is, in the precision in which it was published.
SHARED = "6,321,542"
PUBLISHED = {
    "v1": "6,296,582",
    **dict.fromkeys(("v2", "v3", "run4", "run7"), SHARED),
    "run5": f"{SHARED} or 12.2M",
    **dict.fromkeys(("v5-bidir", "run9"), "about 7.9M"),
    **dict.fromkeys(("v6", "run10", "run11"), "about 16.9M"),
}
