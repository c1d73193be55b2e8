namespace ProxyD.Activation;

/// <summary>proxyd can't start; the message is the one line that the user sees.</summary>
internal sealed class StartupException(string message) : Exception(message);
