"""`callcenter demo`: the whole product at work, with people who are processes of their own."""
