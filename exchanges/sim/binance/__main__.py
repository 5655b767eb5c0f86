from exchanges.sim.binance.main import main

main()
