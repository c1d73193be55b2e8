using System.Reflection;

namespace ProxyD.Tests.Tidy;

/// <summary>Code that breaks the layer table in every place where code can; the first word of a name is its layer.</summary>
internal static class CrossingSamples
{
    /// <summary>The samples that must be reported.</summary>
    internal static IEnumerable<Type> Breaking =>
        typeof(CrossingSamples).GetNestedTypes(BindingFlags.NonPublic).Where(t => LayerOf(t) == "Relay");

    /// <summary>Null for all that is no sample. What the compiler nests in a sample belongs to it.</summary>
    internal static string? LayerOf(Type type)
    {
        for (Type at = type; at.DeclaringType is { } outer; at = outer)
        {
            if (outer == typeof(CrossingSamples))
                return Array.Find(["Relay", "Backend"], layer => at.Name.StartsWith(layer, StringComparison.Ordinal));
        }
        return null;
    }

    internal class BackendThing
    {
        internal static int Number = Environment.ProcessId;

        internal static void Do() { }
    }

    internal sealed class BackendUsesItself
    {
        internal static void Method() => BackendThing.Do();
    }

    internal sealed class RelayCallsInABody
    {
        internal static void Method() => BackendThing.Do();
    }

    internal sealed class RelayReadsAField
    {
        internal static int Method() => BackendThing.Number;
    }

    internal sealed class RelayCallsInALambda
    {
        internal static Action Method() => () => BackendThing.Do();
    }

    internal sealed class RelayCallsInAnAsyncMethod
    {
        internal static async Task Method()
        {
            await Task.Yield();
            BackendThing.Do();
        }
    }

    internal sealed class RelayNamesAGenericArgument
    {
        internal static object Method() => new List<Dictionary<int, BackendThing[]>>();
    }

    internal sealed class RelayTakesAParameter
    {
        internal static bool Method(BackendThing? thing) => thing is null;
    }

    internal sealed class RelayHasAField
    {
        internal BackendThing[] Field = [];
    }

    internal sealed class RelayDerives : BackendThing;

    internal sealed class RelayAsksForTheType
    {
        internal static string Method() => typeof(BackendThing).Name;
    }
}
