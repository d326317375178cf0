"""ViT-Tiny with Adam or DCLR (reconstructed): the frozen baseline in modules, features by knob."""
