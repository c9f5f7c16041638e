"""Tests of callcenter.identity."""
