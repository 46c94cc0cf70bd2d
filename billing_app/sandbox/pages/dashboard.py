from billing_app.sandbox.pages.routes import Pages


class DashboardPages(Pages):
    def routes(self):
        return []
