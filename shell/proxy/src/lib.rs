//! Worker threads and the epoll driver of the session machine.
