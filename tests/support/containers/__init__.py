"""compose.yaml run by podman, with stand-ins made of Debian's packages for the images it names."""
