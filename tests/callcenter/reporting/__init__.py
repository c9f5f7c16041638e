"""Tests of callcenter.reporting."""
