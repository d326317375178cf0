"""What each program of benchmarks/portable.py is run with: small, and together every path."""

SMALL = {
    "NUM_LAYERS": "3",
    "MODEL_DIM": "32",
    "NUM_HEADS": "4",
    "NUM_KV_HEADS": "2",
    "MLP_MULT": "65",  # matrices just above 65,536 elements, so that they are quantised
    "TRAIN_SEQ_LEN": "16",
    "TRAIN_BATCH_TOKENS": "256",
    "VAL_BATCH_SIZE": "4096",
    "ITERATIONS": "2",
    "WARMUP_STEPS": "0",
    "WARMDOWN_ITERS": "1",
    "VAL_LOSS_EVERY": "0",
    "TRAIN_LOG_EVERY": "1",
    "MAX_WALLCLOCK_SECONDS": "0",
    "TTT_CHUNK_SIZE": "64",
    "TTT_EVAL_SEQ_LEN": "128",
    "TTT_BATCH_SIZE": "3",
    "TTT_LORA_RANK": "2",
}
# The paths that SMALL leaves out: untied head, clipping, each feature, the run log.
OTHER_PATHS = {
    **SMALL,
    "MLP_MULT": "3",
    "NUM_KV_HEADS": "4",
    "TIE_EMBEDDINGS": "0",
    "GRAD_CLIP_NORM": "0.5",
    "WARMUP_STEPS": "1",
    "SEED": "1597",
    "PHINTA_ENABLE": "1",
    "PHINTA_PER_BLOCK": "1",
    "PHINTA_START": "identity",
    "PHI_LR_SCALE": "2.9508497187473713",
    "UT_LOOPS": "2",
    "UT_LAYER_START": "1",
    "UT_LAYER_END": "2",
    "MUON_PRODUCTS": "fp32",
    "RUN_LOG": "1",
}
# The features that train or evaluate otherwise: an auxiliary loss, inner steps, packed windows.
MORE_FEATURES = {
    **SMALL,
    "MLP_MULT": "2",
    "JEPA_LAMBDA": "0.5",
    "TTT_PACKED": "1",
    "TTT_INNER_STEPS": "1",
    "TTT_LR_INNER": "0.0625",
}
# A ViT of two blocks on synthetic images: plain Adam, then DCLR under the coupler.
VIT = {
    "STEPS": "3",
    "BATCH": "4",
    "SYNTHETIC_IMAGES": "16",
    "IMAGE_SIZE": "32",
    "PATCH_SIZE": "8",
    "DIM": "24",
    "DEPTH": "2",
    "CLASSES": "10",
    "LOG_EVERY": "1",
}
# A soup of three synthetic experts, without a feature.
SOUP = {
    "SYNTHETIC_ROWS": "40",
    "SOUP_BATCH": "16",
    "SOUP_EPOCHS": "1",
    "EXPERT_DIM": "24",
    "OUTPUT_DIM": "16",
    "N_ANCHORS": "16",
    "N_COMP": "4",
    "D_COMP": "8",
    "CLASSES": "10",
    "LOG_EVERY": "1",
    "RUN_LOG": "1",
}
SOUP_ON = {
    **SOUP,
    "GPA": "1",
    "CALIBRATE": "1",
    "ANCHOR_INIT": "fps",
    "ENABLE_AUTOGRAD": "1",
    "CONSENSUS_NCE": "0.5",
}
# A student of synthetic images and targets.
STUDENT = {
    "SYNTHETIC_IMAGES": "12",
    "BATCH": "5",
    "EPOCHS": "1",
    "IMG_SIZE": "32",
    "PATCH_SIZE": "8",
    "DEPTH": "2",
    "DIM": "24",
    "HEADS": "3",
    "FFN_DIM": "48",
    "OUTPUT_DIM": "16",
    "LOG_EVERY": "1",
    "RUN_LOG": "1",
}
VIT_ON = {**VIT, "DCLR_GAIN": "0.75", "DCLR_FEEDBACK": "1", "TELEMETRY": "1", "RUN_LOG": "1"}
# The dual stream on synthetic images: more anchors than dimensions, a schedule, clipping.
DUAL = {
    "EPOCHS": "1",
    "BATCH": "4",
    "SYNTHETIC_IMAGES": "12",
    "IMG_SIZE": "16",
    "EMBED_DIM": "24",
    "STREAM_DIM": "16",
    "FUSED_DIM": "24",
    "N_FUSED_BLOCKS": "1",
    "N_HEADS": "2",
    "OUTPUT_DIM": "6",
    "N_ANCHORS": "8",
    "N_COMP": "2",
    "D_COMP": "8",
    "CLASSES": "3",
    "LABEL_SMOOTHING": "0.25",
    "LOG_EVERY": "1",
}

# Two blocks on the synthetic teacher, by backpropagation and by each kind of other credit.
CREDIT = {
    "STEPS": "3",
    "BATCH": "16",
    "DIM": "24",
    "DEPTH": "2",
    "TEACHER_TRAIN": "128",
    "TEACHER_TEST": "32",
    "LOG_EVERY": "1",
}
CREDIT_FA = {**CREDIT, "CREDIT_METHOD": "fa", "CREDIT_PENALTY": "0.01", "RUN_LOG": "1"}
CREDIT_EP = {**CREDIT, "CREDIT_METHOD": "ep", "CREDIT_EP_SIDES": "two", "CREDIT_EP_STEPS": "3"}
CREDIT_SB = {**CREDIT, "CREDIT_METHOD": "state-bridge"}
# By DFA's matrices in its first part, then by its own gradients.
CREDIT_CB = {**CREDIT, "CREDIT_METHOD": "credit-bridge", "CREDIT_BRIDGE_WARMUP": "0.5"}
CREDIT_DFA = {**CREDIT, "CREDIT_METHOD": "dfa"}
