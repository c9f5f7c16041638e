"""The HTTP routes. Each declares its permission; `access` refuses to build an application where one does not."""
