"""A venue that is not there, but behaves: for simulated runs and for tests of everything else."""
