using System.Collections.Immutable;

namespace Graphene;

/// <summary>A variable's place among the inputs and outputs of a lowered graph.</summary>
/// <param name="Variable">The variable.</param>
/// <param name="Input">The input that takes its value; -1 when the run does not read it.</param>
/// <param name="Output">The output that gives its next value; -1 when the run does not assign it. It may share the input's memory.</param>
public sealed record VariableBinding(Variable Variable, int Input, int Output);

/// <summary>The part of a graph that some fetches need, as IR.</summary>
/// <param name="Module">Inputs: the feeds, then variables that are read. Outputs: the fetches, then variables that are assigned.</param>
/// <param name="Feeds">The tensors that the first inputs stand for.</param>
/// <param name="Variables">The variables that the run reads or assigns.</param>
public sealed record LoweredGraph(Module Module, ImmutableArray<Tensor> Feeds, ImmutableArray<VariableBinding> Variables);
