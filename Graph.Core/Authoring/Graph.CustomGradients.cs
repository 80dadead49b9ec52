using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Functions whose gradients are computed another way than by differentiating them as they stand.</content>
public sealed partial class Graph
{
    /// <summary>A function with a gradient of its own.</summary>
    /// <param name="inputs">What the function is applied to.</param>
    /// <param name="function">Builds the results from the inputs. Other tensors that it uses count as constants.</param>
    /// <param name="gradient">
    /// Builds the cotangents of the inputs from the inputs, the results and the cotangents of the results; null for an input that
    /// has none. It is differentiated when second derivatives are asked for, and transposed for forward mode.
    /// </param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The results.</returns>
    /// <exception cref="GraphException">GR1605: the gradient has another number or type of results, or something has an effect.</exception>
    public Tensor[] CustomGradient(
        IReadOnlyList<Tensor> inputs,
        Func<Tensor[], Tensor[]> function,
        Func<Tensor[], Tensor[], Tensor[], Tensor?[]> gradient,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        var site = new CallSite(file, line);
        Enter(site);
        Frame outer = Current;
        Node[] operands = [.. inputs.Select(outer.Import)];
        (Frame computes, Node[] results) = Body(site, outer, operands, function);
        int n = operands.Length;
        int m = results.Length;
        (Frame derives, Node[] cotangents) = Body(
            site, outer, operands.Concat(results).Concat(results),
            p => Completed(gradient(p[..n], p[n..(n + m)], p[(n + m)..]), p[..n]));
        Enter(site);
        RequirePure(computes, "function");
        RequirePure(derives, "gradient");
        FrameInput[] captured = [.. computes.Captured.Union(derives.Captured)];
        var op = new CompositeOp(
            "custom_gradient", computes.Close("function", captured, results), derives.Close("gradient", captured, cotangents));
        Node node = outer.Builder.Add(op, [.. operands, .. captured.Select(outer.ValueOf)]);
        return [.. outer.Builder.Results(node).Select(Wrap)];
    }

    /// <summary>A part of the graph that keeps little for its gradient: what derivatives need of it is computed again.</summary>
    /// <param name="function">Builds the results from any tensors; gradients flow to all of them.</param>
    /// <param name="recompute">What is computed again.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The results.</returns>
    /// <exception cref="GraphException">GR1605: the function has an effect.</exception>
    public Tensor[] Checkpoint(
        Func<Tensor[]> function,
        Recompute recompute = Recompute.Everything,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        var site = new CallSite(file, line);
        Enter(site);
        Frame outer = Current;
        (Frame computes, Node[] results) = Body(site, outer, Array.Empty<TensorType>(), _ => function());
        Enter(site);
        RequirePure(computes, "checkpointed function");
        FrameInput[] captured = [.. computes.Captured];
        Node[] kept = recompute == Recompute.Everything ? [] : [.. Traversal.PostOrder(results)
            .Where(n => n.Op is DotGeneralOp or ConvolutionOp).Except(results)];
        var op = new CompositeOp(
            CompositeOp.Checkpoint, computes.Close(CompositeOp.Checkpoint, captured, [.. results, .. kept]));
        Node node = outer.Builder.Add(op, [.. captured.Select(outer.ValueOf)]);
        return [.. outer.Builder.Results(node).Take(results.Length).Select(Wrap)];
    }

    /// <summary>As the other Checkpoint, for one result.</summary>
    public Tensor Checkpoint(
        Func<Tensor> function,
        Recompute recompute = Recompute.Everything,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) => Checkpoint(() => [function()], recompute, file, line)[0];

    private Tensor[] Completed(Tensor?[] cotangents, Tensor[] inputs)
    {
        if (cotangents.Length != inputs.Length)
        {
            throw BadCustom($"the gradient returns {cotangents.Length} cotangents for {inputs.Length} inputs");
        }
        var result = new Tensor[inputs.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = cotangents[i] ?? Wrap(Current.Builder.Zeros(inputs[i].Type));
            if (!result[i].Type.Equals(inputs[i].Type))
            {
                throw BadCustom($"the cotangent of input {i} is {result[i].Type}, the input is {inputs[i].Type}");
            }
        }
        return result;
    }

    private void RequirePure(Frame body, string what)
    {
        if (body.Effects.Count > 0 || body.State.Count > 0)
        {
            throw BadCustom($"the {what} assigns a variable, prints or asserts");
        }
    }

    private GraphException BadCustom(string what) => new(
        DiagnosticId.BadCustomGradient, what, $"built in {Current.Builder.CurrentOrigin}",
        "a function with a gradient of its own only computes, and its gradient has one cotangent of the type of each input",
        "return null for an input without a gradient, and do effects outside");
}
