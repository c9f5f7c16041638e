"""Tests of callcenter.crm."""
