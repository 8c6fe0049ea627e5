import os

from gatehouse_drf.permissions import HasScope
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication


class Me(APIView):
    def get(self, request):
        user = request.user
        return Response(
            {
                "id": str(user.pk),
                "username": user.get_username(),
                "is_staff": user.is_staff,
                "is_legacy": request.auth.is_legacy,
                "claims": request.auth.claims,
                "worker": os.getpid(),
            }
        )


class Read(APIView):
    permission_classes = [HasScope("read")]

    def get(self, request):
        return Response({"message": "You may read."})


class ByMethod(APIView):
    permission_classes = [HasScope]
    required_scopes = {"GET": ["read"], "POST": ["read", "write"]}

    def get(self, request):
        return Response({})

    def post(self, request):
        return Response({})


class Either(APIView):
    permission_classes = [HasScope("write") | IsAdminUser]

    def get(self, request):
        return Response({})


class Open(APIView):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response({"authenticated": request.user.is_authenticated})


class SimpleJwt(APIView):
    """Plain simplejwt, told where the keys are."""

    authentication_classes = [JWTStatelessUserAuthentication]

    def get(self, request):
        return Response({"id": request.user.id})
