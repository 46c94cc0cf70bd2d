"""What a browser sees: hosted checkout, 3-D Secure, portal and dashboard. Server-rendered, without scripts."""
