"""Tests of callcenter.kernel."""
