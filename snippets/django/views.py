from gatehouse_auth import HasScope
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class Orders(APIView):
    permission_classes = [IsAuthenticated, HasScope]
    required_scope = "orders:read"

    def get(self, request):
        return Response({"sub": request.user.id})
