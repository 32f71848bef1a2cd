module minimage

go 1.19
