"""What every training system shares: constants, data, numeric lanes."""
