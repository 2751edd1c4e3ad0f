"""The same model in other languages, and traces in other forms.

All texts are written from the traced terms; none is a second model.
"""
