"""Texts, and language models that learn them: recurrent cells between an embedding and a softmax."""
