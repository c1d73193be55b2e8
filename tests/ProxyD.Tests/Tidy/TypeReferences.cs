using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace ProxyD.Tests.Tidy;

/// <summary>Which types a compiled type names: in its signatures, and in the instructions of its methods.</summary>
/// <remarks>Constants leave no trace in compiled code; they are the business of the rule that reads the source.</remarks>
internal static class TypeReferences
{
    private const BindingFlags Own =
        BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>Every type named; generic ones as their definition and each argument, arrays and pointers as their element.</summary>
    internal static IEnumerable<Type> Of(Type type) =>
        Parents(type)
            .Concat(type.GetFields(Own).Select(field => field.FieldType))
            .Concat(Methods(type).SelectMany(OfMethod))
            .Concat(type.GetMembers(Own).Prepend(type).SelectMany(m => m.GetCustomAttributesData()).Select(a => a.AttributeType))
            .SelectMany(Parts);

    private static Type[] Parents(Type type) => type.BaseType is { } parent ? [parent, .. type.GetInterfaces()] : type.GetInterfaces();

    private static IEnumerable<MethodBase> Methods(Type type) => type.GetMethods(Own).Concat<MethodBase>(type.GetConstructors(Own));

    private static IEnumerable<Type> OfMethod(MethodBase method) =>
        Signature(method).Concat(method.GetMethodBody() is { } body
            ? body.LocalVariables.Select(local => local.LocalType)
                .Concat(body.ExceptionHandlingClauses.Where(c => c.Flags == ExceptionHandlingClauseOptions.Clause).Select(c => c.CatchType!))
                .Concat(Instructions(method, body.GetILAsByteArray()!))
            : []);

    private static IEnumerable<Type> Signature(MethodBase method) =>
        method.GetParameters().Select(p => p.ParameterType).Append(method is MethodInfo { ReturnType: var returned } ? returned : typeof(void));

    private static IEnumerable<Type> Instructions(MethodBase method, byte[] il)
    {
        for (int at = 0; at < il.Length;)
        {
            short value = il[at++];
            if (value == 0xFE)
                value = (short)((0xFE << 8) | il[at++]);
            OpCode code = s_opCodes[value];
            if (code.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
            {
                foreach (Type named in OfToken(method, BinaryPrimitives.ReadInt32LittleEndian(il.AsSpan(at))))
                    yield return named;
            }
            at += OperandBytes(code.OperandType, il, at);
        }
    }

    private static IEnumerable<Type> OfToken(MethodBase method, int token)
    {
        Type[]? ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        Type[]? ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return method.Module.ResolveMember(token, ofType, ofMethod) switch
        {
            Type named => [named],
            FieldInfo field => [field.DeclaringType!, field.FieldType],
            MethodBase called => [called.DeclaringType!, .. Signature(called), .. called.IsGenericMethod ? called.GetGenericArguments() : []],
            _ => [],
        };
    }

    private static int OperandBytes(OperandType type, byte[] il, int at) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BinaryPrimitives.ReadInt32LittleEndian(il.AsSpan(at))),
        _ => 4,
    };

    private static IEnumerable<Type> Parts(Type type)
    {
        while (type.HasElementType)
            type = type.GetElementType()!;
        if (type.IsGenericParameter)
            return type.GetGenericParameterConstraints().SelectMany(Parts);
        return type.IsGenericType
            ? [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().Where(a => !a.IsGenericParameter).SelectMany(Parts)]
            : [type];
    }
}
