"""Auditing records that others made: do their claims follow from their own logs?"""
