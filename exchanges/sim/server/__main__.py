from exchanges.sim.server.main import main

main()
