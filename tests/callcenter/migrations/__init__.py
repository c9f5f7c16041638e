"""Tests of callcenter.migrations."""
