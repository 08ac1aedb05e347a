# SPDX-License-Identifier: Apache-2.0
# docker build --tag espalier .
# docker run --rm --volume "$PWD:/work" espalier predict --model model.h5 "a warm , funny film ."
FROM debian:12
RUN apt-get update && apt-get install --yes --no-install-recommends make
COPY . /usr/src/espalier
RUN make --directory /usr/src/espalier install && rm -rf /usr/src/espalier/build
WORKDIR /work
ENTRYPOINT ["espalier"]
