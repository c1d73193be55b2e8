namespace ProxyD.Machine;

/// <summary>A tool can't do what it was asked for; the message is the one line that the user sees.</summary>
internal sealed class ToolException(string message) : Exception(message);
