# One network element with FRR inside it. It makes network and mount namespaces, and raises its file descriptors:
#   docker run --init --cap-add NET_ADMIN --cap-add SYS_ADMIN --security-opt apparmor=unconfined --tmpfs /run \
#       --volume nesrv:/var/lib/nesrv --volume ./users:/etc/nesrv/users:ro --publish 830:830 nesrv
FROM debian:12-slim

WORKDIR /opt/nesrv
COPY .ci/apt-install .ci/apt-packages.txt .ci/policy-rc.d .ci/
RUN .ci/apt-install .ci/apt-packages.txt && rm -rf /var/lib/apt/lists/*

# Before the sources, so that a change of nesrv does not compile libyang's binding again.
COPY .ci/requirements-build.lock .ci/requirements.lock .ci/
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python3 -m venv venv \
    && venv/bin/pip install --no-deps --require-hashes --no-build-isolation -r .ci/requirements-build.lock \
    && venv/bin/pip install --no-deps --require-hashes --no-build-isolation -r .ci/requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY .ci/wheel_hook.py .ci/
COPY nesrv nesrv/
COPY yang yang/
RUN venv/bin/pip install --no-index --no-deps --no-build-isolation . && rm -rf nesrv yang

EXPOSE 830
VOLUME /var/lib/nesrv
ENTRYPOINT ["/opt/nesrv/venv/bin/nesrv", "serve"]
CMD ["--listen", "0.0.0.0:830", "--state-dir", "/var/lib/nesrv", "--users", "/etc/nesrv/users"]
