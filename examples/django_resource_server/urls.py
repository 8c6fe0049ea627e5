from django.urls import path
from views import Me, Read

urlpatterns = [path("me/", Me.as_view()), path("read/", Read.as_view())]
