/** The machines that targets live on, one exported name each. `here` is the Docker engine of `--docker-host`. */
export { here } from "millrace";
