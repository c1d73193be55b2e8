using ProxyD.Cli;

// proxyd-tools: what proxyd becomes when its first argument is a tool's word (ToolProgram).
return ToolLine.Run(args);
