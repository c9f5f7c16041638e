"""Tests of acd.laboratory."""
