using Graphene.Build.Naming;

namespace Graphene.Build.Writing;

/// <summary>Writes the class of a call with memory of its own: a property for each input and output.</summary>
internal static class CallWriter
{
    /// <summary>Writes the class.</summary>
    public static void Write(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        code.Line();
        code.Line(
            $"/// <summary>A call of <c>{CodeWriter.Xml(function.Name)}</c> with memory of its own; "
            + "running it allocates nothing.</summary>");
        code.Line("/// <remarks>Write the inputs, run, read the outputs. One thread at a time uses a call.</remarks>");
        code.Line($"public sealed class {names.Call} : global::System.IDisposable");
        code.Open();
        code.Line("private readonly global::Graphene.Runtime.BoundCall _call;");
        code.Line();
        code.Line($"internal {names.Call}(global::Graphene.Runtime.BoundCall call) => _call = call;");
        for (int i = 0; i < function.Inputs.Count; i++)
        {
            PortDescription port = function.Inputs[i];
            Document(code, "Input", "to be written before a run", port);
            string type = ElementTypes.Of(port.DType);
            code.Line($"public global::System.Span<{type}> {names.Inputs[i]} => _call.Input<{type}>({i});");
        }
        for (int i = 0; i < function.Outputs.Count; i++)
        {
            PortDescription port = function.Outputs[i];
            Document(code, "Output", "valid after a run and until the next", port);
            string type = ElementTypes.Of(port.DType);
            code.Line($"public global::System.ReadOnlySpan<{type}> {names.Outputs[i]} => _call.Output<{type}>({i});");
        }
        code.Line();
        code.Line("/// <summary>Runs with what is in the inputs now.</summary>");
        code.Line("/// <param name=\"cancellation\">Stops the run; outputs hold nothing useful then.</param>");
        code.Line("/// <exception cref=\"global::Graphene.GraphException\">A check in the model failed.</exception>");
        code.Line("/// <exception cref=\"global::System.OperationCanceledException\">The token was raised.</exception>");
        code.Line("public void Run(global::System.Threading.CancellationToken cancellation = default) => _call.Run(cancellation);");
        code.Line();
        code.Line("/// <inheritdoc/>");
        code.Line("public void Dispose() => _call.Dispose();");
        code.Close();
    }

    private static void Document(CodeWriter code, string kind, string use, PortDescription port)
    {
        code.Line();
        code.Line($"/// <summary>{kind} <c>{CodeWriter.Xml(port.Name)}</c>, {CodeWriter.Xml(port.Shape)}, row-major; {use}.</summary>");
    }
}
