"""Search by recombining and changing known molecules: operators on molecular graphs, and the strategy built on them."""
