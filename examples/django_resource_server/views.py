from permissions import HasScope
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class Me(APIView):
    """The verified claims of the token."""

    def get(self, request):
        return Response(request.auth.payload)


class Read(APIView):
    """Only for tokens with the scope `read`."""

    permission_classes = [IsAuthenticated, HasScope]
    required_scope = "read"

    def get(self, request):
        return Response({"message": "You may read."})
