"""The pages to sign in and to sign out. Both return to the page that led there, if it is one of this site."""

from django.contrib.auth import views


class SignInView(views.LoginView):
    """Sign in with any account, staff or not. LoginLimitMiddleware limits failed attempts."""

    http_method_names = ["get", "head", "post"]
    next_page = "home"
    template_name = "sign_in.html"


class SignOutView(views.LogoutView):
    http_method_names = ["post"]
    next_page = "home"
