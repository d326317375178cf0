"""`make data-images`: Fashion-MNIST, real images of ten kinds of clothing, with pinned digests."""
