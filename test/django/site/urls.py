from django.urls import path
from views import ByMethod, Either, Me, Open, Read, SimpleJwt

urlpatterns = [
    path("me/", Me.as_view()),
    path("read/", Read.as_view()),
    path("by-method/", ByMethod.as_view()),
    path("either/", Either.as_view()),
    path("open/", Open.as_view()),
    path("simplejwt/", SimpleJwt.as_view()),
]
