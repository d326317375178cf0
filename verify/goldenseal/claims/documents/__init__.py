"""Documents as claims see them: numerals, the markers that bind them, definitions, exemptions.

model      what is found in a document
world      the closed world: which numerals must be bound, and which a reason exempts
markdown   Markdown, the HTML in it, and the alternative texts of its pictures
html       HTML blocks: tables, captions, paragraphs
latex      LaTeX, with markers in its comments
svg        numbers that a command drew into a picture
"""
