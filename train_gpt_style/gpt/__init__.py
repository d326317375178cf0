"""The candidate GPT: the frozen baseline in readable modules, with features behind knobs."""
