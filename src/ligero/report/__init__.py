"""What people read: tables, and the page that explains a folder."""
