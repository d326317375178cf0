"""Evidence that is kept: what was judged before, and does all that it stood on still stand?"""
