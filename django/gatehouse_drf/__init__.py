"""Access tokens of Gatehouse for Django REST framework. Use `authentication`, `permissions` and `users`."""

__version__ = "0.1.0"
