"""Pages of a tenant's staff, under /manage/."""
