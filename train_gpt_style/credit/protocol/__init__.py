"""The protocol: from plain numbers to a verdict. No file here needs torch.

numbers        statistics of seeds, and what may be compared with what
diagnostics    the four diagnostics (a) to (d), each with its threshold and its reasons
verdict        letters and words; what was not evaluated is never a pass
strategies     S0 to S_full: what each report would have caught
replay         the first epoch at which a diagnostic fires
sensitivity    between which thresholds no verdict changes
calibration    a cosine against fresh feedback
published      what others said of their numbers, against those numbers
"""
