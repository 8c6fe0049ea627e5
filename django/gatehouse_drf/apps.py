from django.apps import AppConfig


class GatehouseConfig(AppConfig):
    name = "gatehouse_drf"
    verbose_name = "Gatehouse"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  Registers them.
