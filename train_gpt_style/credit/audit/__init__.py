"""`python -m train_gpt_style.credit audit`: judge a trained network by the protocol."""
